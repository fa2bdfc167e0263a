/*
 * Assertions that stay on in production, and the few macros the whole house shares. check() is for programmer errors only;
 * whatever comes from users, network, disk or database is validated and answered with a struct err.
 */
#ifndef BASE_CHECK_H
#define BASE_CHECK_H

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The result must be looked at. */
#define MUST_USE __attribute__((warn_unused_result))

/* Ends the process with the place and the condition when the condition does not hold. */
#define check(condition)                                                    \
	do {                                                                \
		if (__builtin_expect(!(condition), 0))                      \
			check_failed(__FILE__, __LINE__, #condition);       \
	} while (0)

/* Hands an error to the caller; for functions that return struct err *. */
#define TRY(expression)                                    \
	do {                                               \
		struct err *try_err_ = (expression);       \
		if (try_err_)                              \
			return try_err_;                   \
	} while (0)

_Noreturn void check_failed(const char *file, int line, const char *condition);

#endif
