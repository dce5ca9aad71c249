# bash completion for devenv
_devenv()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd= i words=
	if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-C|--store|--directory) ((i++)) ;;
		-*|=) ;;
		*) cmd=${COMP_WORDS[i]}; break ;;
		esac
	done
	case $cmd in
	'') words="init clone parse build push pull cache-probe run exec ps stop rm logs iterate up lint read-configuration run-user-commands outdated store cache completion help version" ;;
	init) words=" --option= --omit= --features= --force --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	clone) words=" --git-url= --branch= --single-branch --depth= --recurse-submodules --workspace-folder= --workspace-base-dir= --ca-file= --ssl-cert-base64= --insecure --git-username= --git-password= --git-ssh-private-key-path= --git-ssh-private-key-base64= --git-http-proxy-url= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	parse) words=" --config= --override-config= --additional-features= --id-label= --mount-workspace-git-root --config-dir= --file= --context= --target= --build-arg= --platform= --fallback-image= --print= --relative --explain --update-lockfile --output= --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	build) words=" --config= --override-config= --additional-features= --id-label= --mount-workspace-git-root --config-dir= --file= --context= --target= --build-arg= --platform= --fallback-image= --no-cache --pull --network= --build-context= --driver= --frozen-lockfile --no-lockfile --label= --annotation= --explain --cache-repo= --cache-from= --cache-to= --layer-cache-dir= --cache-ttl= --cache-ttl-days= --push-image --exit-on-push-failure --jobs= --report= --secret= --build-secrets= --ssh= --allow= --tag= --image-name= --output= --push --iidfile= --metadata-file= --sbom= --digest --check --json --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --chunk-size= --compression= --git-username= --git-password= --git-ssh-private-key-path= --git-ssh-private-key-base64= --git-http-proxy-url= --workspace-folder= --docker-path= --docker-compose-path= --buildkit= --gpu-availability= --workspace-mount-consistency= --user-data-folder= --container-data-folder= --container-system-data-folder= --container-session-data-folder= --terminal-rows= --terminal-columns= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	push) words=" --all-platforms --provenance --sbom --builder-id= --platform= --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --chunk-size= --compression= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	pull) words=" --all-platforms --platform= --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	cache-probe) words=" --config= --override-config= --additional-features= --id-label= --mount-workspace-git-root --config-dir= --file= --context= --target= --build-arg= --platform= --fallback-image= --no-cache --pull --network= --build-context= --driver= --frozen-lockfile --no-lockfile --label= --annotation= --explain --cache-repo= --cache-from= --cache-to= --layer-cache-dir= --cache-ttl= --cache-ttl-days= --push-image --exit-on-push-failure --jobs= --report= --secret= --build-secrets= --ssh= --allow= --format= --verify= --builder-image= --with-secrets --git-url= --branch= --single-branch --depth= --recurse-submodules --workspace-folder= --workspace-base-dir= --ca-file= --ssl-cert-base64= --insecure --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --git-username= --git-password= --git-ssh-private-key-path= --git-ssh-private-key-base64= --git-http-proxy-url= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	run) words=" --name= --detach --replace --env= --user= --workdir= --volume= --mount= --net= --hostname= --entrypoint= --mount-git-worktree-common-dir --allow-privileged --tty --skip-hooks --pull --driver= --from-step= --platform= --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	exec) words=" --env= --remote-env= --user= --workdir= --tty --workspace-folder= --config= --container-id= --id-label= --docker-path= --docker-compose-path= --buildkit= --gpu-availability= --workspace-mount-consistency= --user-data-folder= --container-data-folder= --container-system-data-folder= --container-session-data-folder= --terminal-rows= --terminal-columns= --override-config= --mount-workspace-git-root= --mount-git-worktree-common-dir --default-user-env-probe= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	ps) words=" --all --format= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	stop) words=" --stop-timeout= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	rm) words=" --force --volumes --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	logs) words=" --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	iterate) words=" --config= --override-config= --additional-features= --id-label= --mount-workspace-git-root --config-dir= --file= --context= --target= --build-arg= --platform= --fallback-image= --no-cache --pull --network= --build-context= --driver= --frozen-lockfile --no-lockfile --label= --annotation= --explain --cache-repo= --cache-from= --cache-to= --layer-cache-dir= --cache-ttl= --cache-ttl-days= --push-image --exit-on-push-failure --jobs= --report= --secret= --build-secrets= --ssh= --allow= --name= --detach --replace --env= --user= --workdir= --volume= --mount= --net= --hostname= --entrypoint= --mount-git-worktree-common-dir --allow-privileged --tty --skip-hooks --verify= --once --format= --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --chunk-size= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	up) words=" --json --get-cached-image --remote-repo-build-mode --exit-on-build-failure --git-url= --branch= --single-branch --depth= --recurse-submodules --workspace-folder= --workspace-base-dir= --ca-file= --ssl-cert-base64= --insecure --git-username= --git-password= --git-ssh-private-key-path= --git-ssh-private-key-base64= --git-http-proxy-url= --config= --override-config= --additional-features= --id-label= --mount-workspace-git-root --config-dir= --file= --context= --target= --build-arg= --platform= --fallback-image= --no-cache --pull --network= --build-context= --driver= --frozen-lockfile --no-lockfile --label= --annotation= --explain --cache-repo= --cache-from= --cache-to= --layer-cache-dir= --cache-ttl= --cache-ttl-days= --push-image --exit-on-push-failure --jobs= --report= --secret= --build-secrets= --ssh= --allow= --name= --detach --replace --env= --user= --workdir= --volume= --mount= --net= --hostname= --entrypoint= --mount-git-worktree-common-dir --allow-privileged --tty --skip-hooks --skip-non-blocking-commands --skip-post-attach --prebuild --secrets-file= --dotfiles-repository= --dotfiles-install-command= --dotfiles-target-path= --allow-initialize --probe-timeout= --init-command= --init-script= --init-args= --setup-script= --export-env-file= --post-start-script-path= --remove-existing-container --expect-existing-container --build-no-cache --skip-post-create --remote-env= --default-user-env-probe= --update-remote-user-uid-default= --include-configuration --include-merged-configuration --docker-path= --docker-compose-path= --buildkit= --gpu-availability= --workspace-mount-consistency= --user-data-folder= --container-data-folder= --container-system-data-folder= --container-session-data-folder= --terminal-rows= --terminal-columns= --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --chunk-size= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	lint) words=" --config= --override-config= --additional-features= --id-label= --mount-workspace-git-root --config-dir= --file= --context= --target= --build-arg= --platform= --fallback-image= --format= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	read-configuration) words=" --workspace-folder= --config= --override-config= --additional-features= --id-label= --mount-workspace-git-root --container-id= --include-merged-configuration --include-features-configuration --docker-path= --docker-compose-path= --buildkit= --gpu-availability= --workspace-mount-consistency= --user-data-folder= --container-data-folder= --container-system-data-folder= --container-session-data-folder= --terminal-rows= --terminal-columns= --mount-git-worktree-common-dir --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	run-user-commands) words=" --workspace-folder= --config= --container-id= --id-label= --skip-non-blocking-commands --skip-post-attach --prebuild --secrets-file= --dotfiles-repository= --dotfiles-install-command= --dotfiles-target-path= --stop-for-personalization --remote-env= --docker-path= --docker-compose-path= --buildkit= --gpu-availability= --workspace-mount-consistency= --user-data-folder= --container-data-folder= --container-system-data-folder= --container-session-data-folder= --terminal-rows= --terminal-columns= --override-config= --mount-workspace-git-root= --mount-git-worktree-common-dir --default-user-env-probe= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	outdated) words=" --workspace-folder= --config= --output-format= --docker-path= --docker-compose-path= --buildkit= --gpu-availability= --workspace-mount-consistency= --user-data-folder= --container-data-folder= --container-system-data-folder= --container-session-data-folder= --terminal-rows= --terminal-columns= --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	store) words=" --dry-run --repair --keep-age= --keep-size= --cache-repo= --cache-mounts --format= --json --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	cache) words=" --cache-repo= --dry-run --keep-age= --keep-size= --format= --json --docker-config= --docker-config-base64= --ca-file= --ssl-cert-base64= --insecure-registry= --skip-tls-verify-registry= --allow-private-realm= --registry-mirror= --registry-retries= --registry-stall= --registry-timeout= --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	completion) words=" --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	help) words=" --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	version) words=" --directory= --store= --offline --policy= --base-store= --quiet --verbose --progress= --log-level= --log-format= --help --version" ;;
	esac
	case $cmd:$prev in
	init:--progress) words="auto tty plain json none" ;;
	init:--log-level) words="info debug trace" ;;
	init:--log-format) words="text json" ;;
	clone:--progress) words="auto tty plain json none" ;;
	clone:--log-level) words="info debug trace" ;;
	clone:--log-format) words="text json" ;;
	parse:--mount-workspace-git-root) words="true false" ;;
	parse:--print) words="record plan config merged features dockerfile ast stages context images compose" ;;
	parse:--progress) words="auto tty plain json none" ;;
	parse:--log-level) words="info debug trace" ;;
	parse:--log-format) words="text json" ;;
	build:--mount-workspace-git-root) words="true false" ;;
	build:--network) words="default host none" ;;
	build:--driver) words="auto overlay chroot" ;;
	build:--progress) words="auto tty plain json none" ;;
	build:--log-level) words="info debug trace" ;;
	build:--log-format) words="text json" ;;
	push:--progress) words="auto tty plain json none" ;;
	push:--log-level) words="info debug trace" ;;
	push:--log-format) words="text json" ;;
	pull:--progress) words="auto tty plain json none" ;;
	pull:--log-level) words="info debug trace" ;;
	pull:--log-format) words="text json" ;;
	cache-probe:--mount-workspace-git-root) words="true false" ;;
	cache-probe:--network) words="default host none" ;;
	cache-probe:--driver) words="auto overlay chroot" ;;
	cache-probe:--format) words="record text json env terraform" ;;
	cache-probe:--verify) words="manifest layers" ;;
	cache-probe:--progress) words="auto tty plain json none" ;;
	cache-probe:--log-level) words="info debug trace" ;;
	cache-probe:--log-format) words="text json" ;;
	run:--net) words="host none" ;;
	run:--driver) words="auto overlay chroot" ;;
	run:--progress) words="auto tty plain json none" ;;
	run:--log-level) words="info debug trace" ;;
	run:--log-format) words="text json" ;;
	exec:--progress) words="auto tty plain json none" ;;
	exec:--log-level) words="info debug trace" ;;
	exec:--log-format) words="text json" ;;
	ps:--format) words="text json" ;;
	ps:--progress) words="auto tty plain json none" ;;
	ps:--log-level) words="info debug trace" ;;
	ps:--log-format) words="text json" ;;
	stop:--progress) words="auto tty plain json none" ;;
	stop:--log-level) words="info debug trace" ;;
	stop:--log-format) words="text json" ;;
	rm:--progress) words="auto tty plain json none" ;;
	rm:--log-level) words="info debug trace" ;;
	rm:--log-format) words="text json" ;;
	logs:--progress) words="auto tty plain json none" ;;
	logs:--log-level) words="info debug trace" ;;
	logs:--log-format) words="text json" ;;
	iterate:--mount-workspace-git-root) words="true false" ;;
	iterate:--network) words="default host none" ;;
	iterate:--driver) words="auto overlay chroot" ;;
	iterate:--net) words="host none" ;;
	iterate:--format) words="text json" ;;
	iterate:--progress) words="auto tty plain json none" ;;
	iterate:--log-level) words="info debug trace" ;;
	iterate:--log-format) words="text json" ;;
	up:--mount-workspace-git-root) words="true false" ;;
	up:--network) words="default host none" ;;
	up:--driver) words="auto overlay chroot" ;;
	up:--net) words="host none" ;;
	up:--default-user-env-probe) words="loginInteractiveShell none interactiveShell loginShell" ;;
	up:--update-remote-user-uid-default) words="on off never" ;;
	up:--progress) words="auto tty plain json none" ;;
	up:--log-level) words="info debug trace" ;;
	up:--log-format) words="text json" ;;
	lint:--mount-workspace-git-root) words="true false" ;;
	lint:--format) words="text json" ;;
	lint:--progress) words="auto tty plain json none" ;;
	lint:--log-level) words="info debug trace" ;;
	lint:--log-format) words="text json" ;;
	read-configuration:--mount-workspace-git-root) words="true false" ;;
	read-configuration:--progress) words="auto tty plain json none" ;;
	read-configuration:--log-level) words="info debug trace" ;;
	read-configuration:--log-format) words="text json" ;;
	run-user-commands:--progress) words="auto tty plain json none" ;;
	run-user-commands:--log-level) words="info debug trace" ;;
	run-user-commands:--log-format) words="text json" ;;
	outdated:--output-format) words="text json" ;;
	outdated:--progress) words="auto tty plain json none" ;;
	outdated:--log-level) words="info debug trace" ;;
	outdated:--log-format) words="text json" ;;
	store:--format) words="text json" ;;
	store:--progress) words="auto tty plain json none" ;;
	store:--log-level) words="info debug trace" ;;
	store:--log-format) words="text json" ;;
	cache:--format) words="text json" ;;
	cache:--progress) words="auto tty plain json none" ;;
	cache:--log-level) words="info debug trace" ;;
	cache:--log-format) words="text json" ;;
	completion:--progress) words="auto tty plain json none" ;;
	completion:--log-level) words="info debug trace" ;;
	completion:--log-format) words="text json" ;;
	help:--progress) words="auto tty plain json none" ;;
	help:--log-level) words="info debug trace" ;;
	help:--log-format) words="text json" ;;
	version:--progress) words="auto tty plain json none" ;;
	version:--log-level) words="info debug trace" ;;
	version:--log-format) words="text json" ;;
	*) [[ $cmd && $cur != -* ]] && words= ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$cur"))
	[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _devenv devenv
