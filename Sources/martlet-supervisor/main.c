#include "CSupervisor.h"

int main(int argc, char **argv) { return martlet_supervise(argc, argv); }
