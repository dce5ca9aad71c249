echo 'expanded world and $kept' >one && echo 'tabs $WHO' >two
echo by itself >alone && echo secret >mine
