mkdir -p tree/sub && echo 1 >f && echo 2 >tree/sub/g && echo 3 >tree/h
