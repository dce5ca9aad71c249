mkdir -p tree/sub && echo 1 >tree/sub/x && ln -s sub/x tree/l && echo a >a
chmod 600 a tree/sub/x
