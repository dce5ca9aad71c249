mkdir -p tree/sub && echo new >tree/sub/f && echo 2 >tree/g && echo f >f
chmod 755 tree/sub tree
