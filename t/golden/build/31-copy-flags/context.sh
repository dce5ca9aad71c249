mkdir -p a/b/deep
echo 1 >a/b/one
echo 2 >a/b/two
echo x >a/b/deep/x.c
echo y >a/b/deep/y.h
chmod 711 a/b/two
