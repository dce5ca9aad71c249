umask 077 && echo f >f
