/*
 * sextant forecast FILE.csv [--horizon N] [--method NAME] [--levels 80,95] [--threads N] [--period M]
 *
 * Reads rows id,frequency,v1,v2,… (an empty field is a gap; frequency 1, 4, 12, 52, 7 or 24, or any other season) and
 * writes rows id,method,step,mean,lo80,hi80,lo95,hi95 to standard output in the order of the input, the pairs in the
 * order of --levels. FILE may be - for standard input. The default horizon is M4's of the frequency. --period replaces
 * the frequency of every row, for weekly series marked 1. A broken row is reported on standard error with its line
 * and costs nothing else.
 */
#ifndef APP_FORECAST_COMMAND_H
#define APP_FORECAST_COMMAND_H

/* argv[0] is "forecast". Returns the exit code: 0, 1 when a row or the file was bad, 2 for a wrong command line. */
int forecast_command(int argc, char **argv);

#endif
