/*
 * The Internet as a test wants it: this program's getaddrinfo and connect stand before those of the C library, so libcurl asks here. One
 * name has a list of answers, one for each look; a public address leads to a port of this machine; every address that was connected to is
 * remembered. All other names and addresses go to the C library.
 */
#ifndef TESTS_JOBS_INTERNET_H
#define TESTS_JOBS_INTERNET_H

#include <stdbool.h>
#include <stddef.h>

#define INTERNET_NAME	"rebinding.example"
#define INTERNET_PUBLIC "93.184.215.14" /* leads to the port of internet_set */
#define INTERNET_DOWN	"93.184.215.15" /* public, refuses connections */

/*
 * answers: one for each look, the last one for all that follow; an answer is one address or several with commas between them. They stay
 * the caller's. Nothing has been looked up or connected to yet.
 */
void internet_set(const char *const *answers, size_t count, int port);
void internet_unset(void);
/* How often the name was looked up. */
int internet_looks(void);
/* How often an address was connected to that is neither of the two above. */
int internet_others_reached(void);

#endif
