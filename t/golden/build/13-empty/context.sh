mkdir -p tree/empty/sub && : >tree/none
truncate -s 3M tree/sparse && printf x | dd of=tree/sparse bs=1 seek=1000000 conv=notrunc 2>/dev/null
