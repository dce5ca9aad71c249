n=$(printf '%0150d' 0) && mkdir -p tree/$n && echo 1 >tree/$n/$n
ln -s $n/$n tree/link && ln tree/$n/$n tree/hard
n=$(printf '%0100d' 0) && echo 2 >tree/$n && n=$(printf '%0255d' 0) && echo 3 >tree/$n
n=$(printf '%050d' 0) && mkdir -p tree/$n/$n && echo 4 >tree/$n/$n/$n
i=0 && d=tree/deep && while [ $i -lt 60 ]; do d=$d/d$i i=$((i + 1)); done && mkdir -p $d && echo 5 >$d/bottom
