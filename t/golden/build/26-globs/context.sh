mkdir dir sub1 sub2 && echo 1 >top.txt && echo 2 >two.txt && echo 3 >dir/f && echo 4 >a1.c && echo 5 >b.c && echo 6 >c.c
echo 7 >sub1/x.h && echo 8 >sub2/x.c && echo 9 >sub2/xx && echo 0 >'lit[1].md'
