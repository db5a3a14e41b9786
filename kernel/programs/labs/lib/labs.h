/*
 * labs.h: the labs' main functions. A lab is an ordinary C program whose main()
 * gets the name of its file while it is compiled for quire; this is included
 * before it then (Makefile).
 */
#pragma once

int mem_virtual_objects_main(int argc, char **argv);
int sem_prod_cons_main(int argc, char **argv);
int mem_prod_cons_main(int argc, char **argv);
