mkdir -p tree/sub && echo 1 >tree/a && ln tree/a tree/b && ln tree/a tree/sub/c
