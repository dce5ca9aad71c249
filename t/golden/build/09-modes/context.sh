mkdir -p tree/sg tree/st tree/closed && echo 1 >tree/suid && echo 2 >tree/ro && echo 3 >tree/none
chmod 6755 tree/suid && chmod 2775 tree/sg && chmod 1777 tree/st && chmod 444 tree/ro && chmod 700 tree/closed && chmod 751 tree
