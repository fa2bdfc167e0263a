/* Functions that truncate, guess or depend on the locale do not compile. Included by every .c file through the build's -include. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison atoi atol atoll atof strtod sprintf vsprintf strcpy strcat strncpy strtok localtime gmtime asctime ctime gets

#endif
