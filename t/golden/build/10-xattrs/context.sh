mkdir -p tree/d && echo 1 >tree/cap && echo 2 >tree/u && cp tree/cap tree/d/cap2
setcap cap_net_raw+ep tree/cap && setcap cap_chown,cap_kill=ei tree/d/cap2
setfattr -n user.note -v 'some text' tree/u && setfattr -n user.dir -v d tree/d
