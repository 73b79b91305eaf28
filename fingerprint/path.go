package fingerprint

import "strings"

// readPath reads the path of a file or directory as POSIX resolves it (IEEE Std 1003.1, section 4.13).
//
// It joins what is the same whatever the file system holds: repeated slashes, "." segments, and a slash at the end.
//
// It keeps apart ".." from its resolution: where "a" is a symbolic link, "a/../b" is not "b", and only the file system
// knows. It keeps apart case, white space and Unicode forms, which file systems tell apart, a leading "~" and the
// directory it stands for, "./~" and "~", a relative path and an absolute one, and two slashes at the start, which
// POSIX leaves to the system (hosts on some), from one. A backslash is a character like others. Blank strings, URLs,
// paths with a NUL and other types are compared exactly.
func readPath(dst []byte, _ call, v Value) (form []byte, note string, ok bool) {
	if v.Type() != String {
		return nil, "not a string", false
	}
	s := v.Text()
	switch {
	case isBlank(v):
		return nil, "blank", false
	case strings.Contains(s, "://"):
		return nil, "a URL and not a path", false
	case strings.IndexByte(s, 0) >= 0:
		return nil, "no path holds a NUL", false
	}
	dst = append(dst, "path "...)
	start := len(dst)
	rest := strings.TrimLeft(s, "/")
	switch slashes := len(s) - len(rest); {
	case slashes == 2:
		dst = append(dst, "//"...)
	case slashes > 0:
		dst = append(dst, '/')
	}
	root := len(dst)
	for rest != "" {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		if segment == "" || segment == "." {
			continue
		}
		if len(dst) > root {
			dst = append(dst, '/')
		} else if root == start && segment[0] == '~' && s[0] != '~' {
			dst = append(dst, "./"...)
		}
		dst = append(dst, segment...)
	}
	if len(dst) == start {
		dst = append(dst, '.')
	}
	if strings.TrimSpace(string(dst[start:])) == "" {
		return nil, "blank but for slashes", false
	}
	return dst, "", true
}
