mkdir -p dir/sub
echo one >dir/one
echo two >dir/sub/two
ln -s one dir/link
chmod 600 dir/sub/two
touch -d @1600000000 dir/one dir/sub/two dir/sub dir
