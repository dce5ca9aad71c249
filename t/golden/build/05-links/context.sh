mkdir -p tree/sub && echo 1 >tree/f && echo 2 >tree/sub/g
ln -s tree/f rel && ln -s rel chain && ln -s tree dirlink
ln -s /tree/f tree/abs && ln -s ../../../../etc/passwd tree/out
ln -s nowhere tree/dangling && ln -s f tree/dangling-ok && ln -s sub tree/dl
