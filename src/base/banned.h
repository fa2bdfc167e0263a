/*
 * Functions that truncate, guess or depend on the locale or the process's time zone do not compile. The build includes this file before
 * every source of the server (-include); the system's headers that name these functions come first, for a poisoned word may not even
 * be declared.
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison atoi atol atoll atof strtod strtof strtold sprintf vsprintf strcpy strcat strncpy strncat strtok
#pragma GCC poison localtime localtime_r gmtime gmtime_r mktime asctime ctime gets

#endif
