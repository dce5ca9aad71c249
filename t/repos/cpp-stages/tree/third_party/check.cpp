int main() { std::puts("dependencies are ready"); }
