/*
 * The program's entry. Commands are rows of the table in command.c; this file only hands the command line over.
 */

int
main(void)
{
	return 0;
}
