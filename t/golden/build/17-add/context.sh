mkdir -p in/sub dir && echo 1 >in/sub/f && ln -s sub/f in/l && ln in/sub/f in/h && chmod 4755 in/h && mkdir in/empty
chown -h 12:34 in/l in/sub && chmod 750 in/sub
tar -C in -cf plain.tar . && tar -C in -cf in.tar . && gzip -nc in.tar >a.tar.gz && xz -c in.tar >a.tar.xz
bzip2 -c in.tar >a.tar.bz2 && zstd -qc in.tar >a.tar.zst && echo text >not.tar && echo hello | gzip -nc >lonely.gz
cp plain.tar dir/nested.tar && rm in.tar
