# escape=`
FROM a`
 as b
ENV x y z
ADD http://x/y.git /
