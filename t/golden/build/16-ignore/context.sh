mkdir -p keep drop/sub deep/er/most .git && echo 1 >keep/a.txt && echo 2 >keep/b.log
echo 3 >drop/x && echo 4 >drop/sub/save && echo 5 >deep/er/most/z.tmp && echo 6 >deep/er/y
echo 7 >.git/config && echo 8 >top.log && echo 9 >important.log
printf '%s\n' '# comment' '*.log' '**/*.log' '!important.log' drop '!drop/sub/save' .git '**/*.tmp' 'context.*' Dockerfile .dockerignore >.dockerignore
