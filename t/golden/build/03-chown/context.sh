mkdir -p tree/sub/empty && echo 1 >tree/sub/x && ln -s sub tree/l && echo a >a
chown 5:6 tree/sub/x a
