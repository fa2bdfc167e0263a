/* One table of libcurl's codes; whatever is not in it is a connection that failed. */
#include "net/curl_fault.h"

static const struct {
	CURLcode code;
	const char *word, *message; /* NULL: libcurl's own */
} faults[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, "NAME_UNKNOWN", "The host name is unknown." },
	{ CURLE_ABORTED_BY_CALLBACK, "STOPPED", "The call was given up." },
	{ CURLE_OPERATION_TIMEDOUT, "TIMEOUT", "No answer in time." },
	{ CURLE_SSL_CONNECT_ERROR, "TLS_FAILED", NULL },
	{ CURLE_PEER_FAILED_VERIFICATION, "TLS_FAILED", NULL },
	{ CURLE_SSL_CERTPROBLEM, "TLS_FAILED", NULL },
	{ CURLE_SSL_CACERT_BADFILE, "TLS_FAILED", NULL },
	{ CURLE_USE_SSL_FAILED, "TLS_FAILED", "The server offers no TLS." },
};

struct err *
curl_fault(struct arena *a, CURLcode code)
{
	const char *word = "CONNECTION_FAILED", *message = NULL;

	for (size_t i = 0; i < COUNT(faults); i++)
		if (faults[i].code == code) {
			word = faults[i].word;
			message = faults[i].message;
		}
	if (message)
		return err_word(err_new(a, ERR_UNAVAILABLE, "%s", message), word);
	return err_word(
		err_new(a, ERR_UNAVAILABLE, "%s: %s.",
			str_eq(str_from_cstr(word), STR("TLS_FAILED")) ? "TLS" : "The connection failed",
			curl_easy_strerror(code)),
		word);
}
