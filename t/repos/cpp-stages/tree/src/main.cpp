#include <cstdio>

int main() { std::puts("hello from C++"); }
