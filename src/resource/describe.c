#include "resource/describe.h"
