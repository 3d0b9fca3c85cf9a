# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced: packages from Debian suites and architectures that this system does
# not list in its sources, through a private apt configuration. The mirror and
# the proxy are the system's own, the signatures are checked with the system's
# Debian keyring, and the system's sources and package lists stay untouched.
#
# Each suite is updated by itself: a mirror can be out of step for some minutes
# ("File has unexpected size"), so a suite that fails is tried again a few
# times, and then left out while the others still serve.

APT_TRIES=${APT_TRIES:-4}
APT_WAIT_S=${APT_WAIT_S:-5}

# apt_mirror: the URI of the Debian archive the system itself uses.
apt_mirror() {
	local uri

	# shellcheck disable=SC2016 # apt expands these
	uri=${GSTAGE_MIRROR:-$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 2>/dev/null |
		sed -n 's/^Debian Debian \([^ ]*\)$/\1/p' | head -n 1)}
	if [ -z "$uri" ]; then
		# No index yet (nobody ran apt-get update): the sources say it too.
		uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
			/etc/apt/sources.list.d/*.sources 2>/dev/null |
			grep -v '^[[:space:]]*#' | grep -oE '(https?|mirror\+[a-z]+|file|ftp|tor\+https?)://[^ ]+' |
			grep -v security | grep -m1 debian || :)
	fi
	[ -n "$uri" ] || die "$EX_IMPOSSIBLE" "no Debian mirror in this system's apt sources; name one with GSTAGE_MIRROR=URI"
	printf '%s\n' "${uri%/}"
}

# apt_setup ARCH: make the private configuration for ARCH; sets APT_CONF.
apt_setup() {
	local arch=$1 dir=$GSTAGE_CACHE/apt-$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	[ "${APT_DIR:-}" = "$dir" ] && return # this process holds the lock already
	need apt-get apt
	[ -r "$keyring" ] || die "$EX_IMPOSSIBLE" "$keyring is missing; install the package debian-archive-keyring"
	APT_CONF=$dir/apt.conf
	APT_ARCH=$arch
	APT_DIR=$dir
	APT_URI=$(apt_mirror)
	APT_KEYRING=$keyring
	mkdir -p "$dir"/{lists/partial,cache/archives/partial,empty}
	# apt's own locks make a second process fail; this one makes it wait.
	exec {APT_LOCK}>"$dir/lock"
	flock "$APT_LOCK"
	: >"$dir/status"
	cat >"$APT_CONF.new" <<-CONF
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Dir::State "$dir";
		Dir::State::Lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		Dir::Etc::SourceList "$dir/sources.list";
		Dir::Etc::SourceParts "$dir/empty";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "$dir/empty";
		// mirror: $APT_URI
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
	CONF
	# Indexes older than the configuration, so of another mirror, are not used.
	cmp -s "$APT_CONF.new" "$APT_CONF" || cp "$APT_CONF.new" "$APT_CONF"
}

apt_source_line() {
	printf 'deb [arch=%s signed-by=%s] %s %s main\n' "$APT_ARCH" "$APT_KEYRING" "$APT_URI" "$1"
}

# apt_update_suite SUITE: fetch the index of one suite; afterwards it is the
# only suite this configuration knows. An index of the last ten minutes will do.
apt_update_suite() {
	local suite=$1 try log=$APT_DIR/update-$1.log stamp=$APT_DIR/updated-$1 expired=()

	apt_source_line "$suite" >"$APT_DIR/sources.list"
	[ -z "$(find "$APT_DIR" -maxdepth 1 -path "$stamp" -newer "$APT_CONF" -mmin -10)" ] || return 0
	rm -f "$stamp"
	for ((try = 1; try <= APT_TRIES; try++)); do
		# --error-on=any: without it a stale index counts as success.
		if apt-get -c "$APT_CONF" -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any \
			${expired[@]+"${expired[@]}"} \
			-qq update >"$log" 2>&1 && ! grep -q '^[EW]: .*Failed to fetch' "$log"; then
			touch "$stamp"
			return 0
		fi
		# A mirror that stands still is old, not forged: what it has is
		# signed all the same.
		if [ ${#expired[@]} -eq 0 ] && grep -q 'is expired' "$log"; then
			say "the index of $suite on this mirror is past its date; using it all the same"
			expired=(-o Acquire::Check-Valid-Until=false)
			continue
		fi
		# A suite that does not exist does not come into being by waiting.
		grep -qE '404 +Not Found|does not have a Release file' "$log" && break
		[ "$try" -lt "$APT_TRIES" ] && sleep "$APT_WAIT_S"
	done
	say "suite $suite for $APT_ARCH is not usable now: $(grep -m1 -E '^[EW]:' "$log" || echo 'apt-get update failed')"
	return 1
}

# apt_candidates PACKAGE...: "package version sha256" of the newest release of
# each in the current suite, never a release candidate (~rc); fails when one is
# not there.
apt_candidates() {
	local package found all status=0

	all=$(apt-cache -c "$APT_CONF" show "$@" 2>/dev/null |
		awk '/^Package:/ { p = $2 } /^Version:/ { v = $2 } /^SHA256:/ { print p, v, $2 }' | grep -v '~rc' || :)
	for package; do
		found=$(awk -v p="$package" '$1 == p' <<<"$all" | sort -V | tail -n 1)
		if [ -n "$found" ]; then
			printf '%s\n' "$found"
		else
			say "no package $package for $APT_ARCH in $(cut -d' ' -f5 "$APT_DIR/sources.list")"
			status=1
		fi
	done
	return "$status"
}

# apt_download DIR < "package version sha256" lines: the packages, verified,
# into DIR; prints "package path" lines.
apt_download() {
	local dir=$1 try list package version sha256 deb ok

	list=$(cat)
	for ((try = 1; try <= APT_TRIES; try++)); do
		ok=1
		(cd "$dir" && awk '{ print $1 "=" $2 }' <<<"$list" |
			xargs apt-get -c "$APT_CONF" -qq download) >"$APT_DIR/download.log" 2>&1 || ok=
		while read -r package version sha256; do
			deb=$(find "$dir" -maxdepth 1 -name "${package}_*.deb" | head -n 1)
			if [ -z "$deb" ] || ! sha256sum --status -c <<<"$sha256  $deb"; then
				echo "E: $package $version is missing or its hash is wrong" >>"$APT_DIR/download.log"
				rm -f "$dir/${package}"_*.deb
				ok=
			fi
		done <<<"$list"
		[ -z "$ok" ] || break
		[ "$try" -eq "$APT_TRIES" ] || sleep "$APT_WAIT_S"
	done
	if [ -z "$ok" ]; then
		say "download failed: $(grep -m1 '^E:' "$APT_DIR/download.log")"
		return 1
	fi
	while read -r package version sha256; do
		echo "$package $(find "$dir" -maxdepth 1 -name "${package}_*.deb")"
	done <<<"$list"
}

# apt_closure PACKAGE...: these and what they depend on, in the current suite.
apt_closure() {
	apt-get -c "$APT_CONF" -s --no-install-recommends install "$@" 2>/dev/null |
		awk '$1 == "Inst" { print $2; n++ } END { exit !n }'
}

# apt_upstream SUITE SOURCE: "uri name sha256" of the upstream tarball of a
# source package.
apt_upstream() {
	local lists=$APT_DIR/lists-source

	mkdir -p "$lists/partial"
	apt_source_line "$1" | sed 's/^deb \[arch=[^ ]* /deb-src [/' >"$APT_DIR/sources-source.list"
	set -- "$2" -o Dir::State::Lists="$lists" -o Dir::Etc::SourceList="$APT_DIR/sources-source.list"
	apt-get -c "$APT_CONF" "${@:2}" -o APT::Update::Error-Mode=any -qq update >"$APT_DIR/update-source.log" 2>&1 || {
		say "no index of sources: $(grep -m1 '^[EW]:' "$APT_DIR/update-source.log")"
		return 1
	}
	apt-get -c "$APT_CONF" "${@:2}" -qq --print-uris source "$1" 2>/dev/null |
		sed -n "s/^'\(.*\)' \([^ ]*\.orig\.tar\.[a-z0-9]*\) [0-9]* SHA256:\([0-9a-f]*\)\$/\1 \2 \3/p" | grep .
}

# apt_fetch FILE URI SHA256: one file of the mirror, verified.
apt_fetch() {
	local try

	for ((try = 1; try <= APT_TRIES; try++)); do
		/usr/lib/apt/apt-helper -c "$APT_CONF" download-file "$2" "$1" "SHA256:$3" \
			>"$APT_DIR/download.log" 2>&1 && return 0
		[ "$try" -eq "$APT_TRIES" ] || sleep "$APT_WAIT_S"
	done
	say "download of $2 failed: $(grep -m1 '^E:' "$APT_DIR/download.log")"
	return 1
}

# apt_unpack DIR TAROPTION... < "package path" lines, as apt_download prints them:
# their files, below DIR. Debian's merged /usr: packages may name either path.
apt_unpack() {
	local dir=$1 package deb

	shift
	mkdir -p "$dir"/usr/lib "$dir"/usr/bin "$dir"/usr/sbin
	ln -s usr/lib "$dir/lib"
	ln -s usr/bin "$dir/bin"
	ln -s usr/sbin "$dir/sbin"
	while read -r package deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -C "$dir" --keep-directory-symlink --no-same-owner -x "$@" || {
			say "unpacking $package failed; is the disk full?"
			return 1
		}
	done
}
