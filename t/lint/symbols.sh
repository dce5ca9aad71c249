#!/bin/sh
# symbols.sh - a public name tells where it lives: usage: symbols.sh BUILD_DIR
#
# What a public header declares begins with its folder (oci_ref_parse), in the
# toolboxes base and wrap with the first word of its file (json_get). A symbol
# that is shared only inside a folder may begin with its file's first word.
set -eu
cd "$(dirname "$0")/../.."
build=$1

# FOLDER FILE SYMBOL of each function defined in an object.
nm --defined-only "$build"/common/*/*.o "$build"/cmd/*.o |
	awk -v top="$build/" '
	/:$/ { sub(/:$/, ""); sub(/\.o$/, ""); path = substr($0, length(top) + 1)
		n = split(path, part, "/"); next }
	$2 ~ /^[TDB]$/ { print part[n - 1], part[n], $3 }' |
	{
		status=0
		while read -r folder file symbol; do
			case $folder:$symbol in
			"$folder":"$folder"_*) continue ;;
			cmd:main) continue ;;
			esac
			# Small families without a file of their own.
			case $folder/$file:$symbol in
			base/base:str_* | base/base:x*) continue ;;
			wrap/digest:base64_* | wrap/digest:random_*) continue ;;
			wrap/json:jsonc_* | wrap/decompress:compress_*) continue ;;
			build/run:step_run) continue ;;
			esac
			case $symbol in
			"${file%%_*}" | "${file%%_*}"_*)
				case $folder in base | wrap) continue ;; esac
				header=common/$folder/$folder.h
				grep -qw "$symbol" "$header" 2>/dev/null ||
					continue
				echo "$folder/$file: public '$symbol' does" \
					"not begin with ${folder}_"
				;;
			*) echo "$folder/$file: '$symbol' belongs to neither" \
				"its folder nor its file" ;;
			esac
			status=1
		done
		exit $status
	}
