mkdir -p tree "with blank" && echo 1 >"with blank/x y" && echo 2 >-dash
echo 3 >"tree/$(printf 'new\nline')" && echo 4 >tree/ü && echo 5 >"tree/$(printf '\303\050')"
echo 6 >tree/--flag && echo 7 >'tree/[b]*?' && echo 8 >'tree/back\slash' && echo 9 >'tree/ lead' && echo 0 >'tree/trail '
mkdir tree/.hidden && echo 1 >tree/.hidden/..x
