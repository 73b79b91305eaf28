package sqlite

import (
	"encoding/binary"
	"errors"
	"net/url"
	"sync"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	lib "modernc.org/sqlite/lib"
	"zombiezen.com/go/sqlite"
)

// SQLite writes a commit to its log with two calls to the system for each page: at 16 callers about forty, before the one that
// flushes. This file gathers them. It stands between SQLite and the files of the connection that writes, as a file system in
// SQLite's sense (sqlite.org/vfs.html): all goes on to the one that the engine brings, but what is appended to the log is kept until
// the frame that ends the commit is there, and then written at once. The flush stays SQLite's own, and comes after.
//
// No connection looks at a frame before the end of its commit was written (sqlite.org/fileformat2.html, section 4), and none may
// append but the one that has the right to write. So nobody can tell the difference, as long as
//
//   - what is kept is written before anything else is asked of the log,
//   - what is kept of a commit that was taken back is forgotten with the right to write, after which another
//     process may have appended to the same place,
//   - a write that fails is told to SQLite within the commit: it then was not made, as ever.

const (
	vfsName = "onceguard-log"

	// Each frame has a header, in which the second number is not zero where a commit ends (sqlite.org/fileformat2.html#walformat).
	frameHeader = 24
	frameEnds   = 4

	// maxKept bounds the memory, in bytes: a longer commit is written in parts.
	maxKept = 1 << 20

	// maxWrite is the most bytes of one write. The engine reads a length modulo 128 KiB (seekAndWriteFd in its os_unix.c).
	maxWrite = 31 << 12
)

// methods are what SQLite calls for an open file.
type methods = lib.Tsqlite3_io_methods

// vfsFile is an open database or its log. What SQLite may look at stands in the memory of its allocator: numbers that name Go's memory
// would mean nothing to the collector.
type vfsFile struct {
	engine  methods  // what the engine calls for it
	methods *methods // what SQLite calls in their place
	file    uintptr  // SQLite's
	path    string

	other *vfsFile // the log of a database, nil while it is closed; the database of a log

	kept   []byte // of maxKept bytes, and of a log only
	offset int64  // of the first byte of kept
	ends   bool   // the header of the frame that ends the commit is kept, its page is not
}

// vfsFiles are the open files, by what SQLite calls them.
var vfsFiles = struct {
	sync.RWMutex
	open map[uintptr]*vfsFile
}{open: map[uintptr]*vfsFile{}}

// engineVFS is the file system that the engine brings.
var engineVFS *lib.Tsqlite3_vfs

// registerVFS makes a file system that is the engine's but for its name and what it does to open a file.
var registerVFS = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	if rc := lib.Xsqlite3_initialize(tls); rc != lib.SQLITE_OK {
		return errors.New("SQLite does not start: " + sqlite.ResultCode(rc).String())
	}
	name, err := libc.CString(vfsName)
	if err != nil {
		return err
	}
	engine, ours := lib.Xsqlite3_vfs_find(tls, 0), libc.Xmalloc(tls, types.Size_t(unsafe.Sizeof(lib.Tsqlite3_vfs{})))
	if engine == 0 || ours == 0 {
		return errors.New("SQLite has no file system")
	}
	engineVFS = (*lib.Tsqlite3_vfs)(pointer(engine))
	writer := (*lib.Tsqlite3_vfs)(pointer(ours))
	*writer = *engineVFS
	writer.FpNext, writer.FzName, writer.FxOpen = 0, name, address(vfsOpen)
	if rc := lib.Xsqlite3_vfs_register(tls, ours, 0); rc != lib.SQLITE_OK {
		return errors.New("SQLite refuses a file system: " + sqlite.ResultCode(rc).String())
	}
	return nil
})

// openWriter opens the file at an absolute path for the connection that writes.
func openWriter(path string) (*sqlite.Conn, error) {
	if err := registerVFS(); err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "file", Path: path, RawQuery: "vfs=" + vfsName}
	return sqlite.OpenConn(uri.String(), sqlite.OpenReadWrite, sqlite.OpenURI)
}

// The engine's C is translated to Go: a C pointer is a number, and a function pointer is that of a Go function value. The bindings of
// zombiezen.com/go/sqlite (cFuncPointer) and of modernc.org/sqlite pass their functions in the same way.

func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// address is the pointer of a function that was declared, not of a closure, which the collector could take away.
func address[F any](declared F) uintptr { return *(*uintptr)(unsafe.Pointer(&declared)) }

func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&p)) }

type (
	openFunc     = func(tls *libc.TLS, vfs, path, file uintptr, flags int32, outFlags uintptr) int32
	closeFunc    = func(tls *libc.TLS, file uintptr) int32
	transferFunc = func(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32
	truncateFunc = func(tls *libc.TLS, file uintptr, size int64) int32
	syncFunc     = func(tls *libc.TLS, file uintptr, flags int32) int32
	sizeFunc     = func(tls *libc.TLS, file, size uintptr) int32
	shmLockFunc  = func(tls *libc.TLS, file uintptr, offset, n, flags int32) int32
)

func vfsOpen(tls *libc.TLS, _, path, file uintptr, flags int32, outFlags uintptr) int32 {
	rc := function[openFunc](engineVFS.FxOpen)(tls, uintptr(unsafe.Pointer(engineVFS)), path, file, flags, outFlags)
	if rc != lib.SQLITE_OK {
		return rc
	}
	isLog := flags&lib.SQLITE_OPEN_WAL != 0
	if !isLog && flags&lib.SQLITE_OPEN_MAIN_DB == 0 {
		return lib.SQLITE_OK
	}
	table := libc.Xmalloc(tls, types.Size_t(unsafe.Sizeof(methods{})))
	var buffer uintptr
	if isLog {
		buffer = libc.Xmalloc(tls, maxKept)
	}
	opened := (*lib.Tsqlite3_file)(pointer(file))
	f := &vfsFile{engine: *(*methods)(pointer(opened.FpMethods)), methods: (*methods)(pointer(table)), file: file, path: libc.GoString(path)}
	if table == 0 || isLog && buffer == 0 {
		libc.Xfree(tls, table)
		libc.Xfree(tls, buffer)
		function[closeFunc](f.engine.FxClose)(tls, file)
		opened.FpMethods = 0
		return lib.SQLITE_NOMEM
	}
	*f.methods = f.engine
	f.methods.FxClose = address(vfsClose)
	if isLog {
		f.methods.FxWrite, f.methods.FxRead, f.methods.FxSync = address(logWrite), address(logRead), address(logSync)
		f.methods.FxTruncate, f.methods.FxFileSize = address(logTruncate), address(logSize)
		f.kept = unsafe.Slice((*byte)(pointer(buffer)), maxKept)[:0]
		f.other = vfsFileOf(lib.Xsqlite3_database_file_object(tls, path))
		f.other.other = f
	} else {
		f.methods.FxShmLock = address(databaseShmLock)
	}
	opened.FpMethods = table
	vfsFiles.Lock()
	defer vfsFiles.Unlock()
	vfsFiles.open[file] = f
	return lib.SQLITE_OK
}

// vfsFileOf finds the vfsFile of SQLite's file. Only one goroutine at a time uses a connection and its files.
func vfsFileOf(file uintptr) *vfsFile {
	vfsFiles.RLock()
	defer vfsFiles.RUnlock()
	return vfsFiles.open[file]
}

func vfsClose(tls *libc.TLS, file uintptr) int32 {
	vfsFiles.Lock()
	f := vfsFiles.open[file]
	delete(vfsFiles.open, file)
	vfsFiles.Unlock()
	if f.other != nil {
		f.other.other = nil
	}
	rc := function[closeFunc](f.engine.FxClose)(tls, file)
	libc.Xfree(tls, uintptr(unsafe.Pointer(f.methods)))
	libc.Xfree(tls, uintptr(unsafe.Pointer(unsafe.SliceData(f.kept))))
	return rc
}

// databaseShmLock forgets what is kept when the right to write ends: a commit that was made has kept nothing.
func databaseShmLock(tls *libc.TLS, file uintptr, offset, n, flags int32) int32 {
	f := vfsFileOf(file)
	if f.other != nil && offset == lib.WAL_WRITE_LOCK && flags&lib.SQLITE_SHM_UNLOCK != 0 {
		f.other.forget()
	}
	return function[shmLockFunc](f.engine.FxShmLock)(tls, file, offset, n, flags)
}

func logWrite(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	f := vfsFileOf(file)
	end := f.ends
	if offset != f.offset+int64(len(f.kept)) || len(f.kept)+int(n) > maxKept {
		if rc := f.flush(tls); rc != lib.SQLITE_OK {
			return rc
		}
		f.offset = offset
	}
	p := unsafe.Slice((*byte)(pointer(data)), n)
	f.kept = append(f.kept, p...) // there is room: a page has 64 KiB at most
	if end {
		return f.flush(tls)
	}
	f.ends = n == frameHeader && binary.BigEndian.Uint32(p[frameEnds:]) != 0
	return lib.SQLITE_OK
}

// flush writes what is kept. Whatever comes of it, nothing is kept any more.
func (f *vfsFile) flush(tls *libc.TLS) int32 {
	defer f.forget()
	for rest := f.kept; len(rest) > 0; {
		n := min(len(rest), maxWrite)
		rc := function[transferFunc](f.engine.FxWrite)(tls, f.file, uintptr(unsafe.Pointer(&rest[0])), int32(n), f.offset)
		if rc != lib.SQLITE_OK {
			return rc
		}
		rest, f.offset = rest[n:], f.offset+int64(n)
	}
	return lib.SQLITE_OK
}

func (f *vfsFile) forget() { f.kept, f.ends = f.kept[:0], false }

func logRead(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	f := vfsFileOf(file)
	if rc := f.flush(tls); rc != lib.SQLITE_OK {
		return rc
	}
	return function[transferFunc](f.engine.FxRead)(tls, file, data, n, offset)
}

func logTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	f := vfsFileOf(file)
	if rc := f.flush(tls); rc != lib.SQLITE_OK {
		return rc
	}
	return function[truncateFunc](f.engine.FxTruncate)(tls, file, size)
}

func logSize(tls *libc.TLS, file, size uintptr) int32 {
	f := vfsFileOf(file)
	if rc := f.flush(tls); rc != lib.SQLITE_OK {
		return rc
	}
	return function[sizeFunc](f.engine.FxFileSize)(tls, file, size)
}

func logSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	f := vfsFileOf(file)
	if rc := f.flush(tls); rc != lib.SQLITE_OK {
		return rc
	}
	return function[syncFunc](f.engine.FxSync)(tls, file, flags)
}
