mkdir tree && mkfifo tree/p && echo 1 >tree/f
