#pragma once
int martlet_supervise(int argc, char **argv);
