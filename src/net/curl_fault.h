/* What libcurl says went wrong, in our words: shared by the clients of HTTP and mail. */
#ifndef NET_CURL_FAULT_H
#define NET_CURL_FAULT_H

#include "base/err.h"
#include <curl/curl.h>

/* UNAVAILABLE with the word NAME_UNKNOWN, TIMEOUT, TLS_FAILED, STOPPED or CONNECTION_FAILED. */
struct err *curl_fault(struct arena *a, CURLcode code) MUST_USE __attribute__((returns_nonnull));

#endif
