package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"time"
)

// patience is how long one answer may take.
const patience = 60 * time.Second

// maxBody bounds one answer, in bytes.
const maxBody = 16 << 20

// Conn is one kept-alive HTTP/1.1 connection. It does what measuring needs and no more: it writes a request that was
// made beforehand and reads the answer, without headers, redirects or retries. Use net/http for anything else.
type Conn struct {
	conn net.Conn
	r    *bufio.Reader
	body []byte
}

// Dial connects to host:port.
func Dial(addr string) (*Conn, error) {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	return newConn(c), nil
}

func newConn(c net.Conn) *Conn { return &Conn{conn: c, r: bufio.NewReaderSize(c, 16<<10)} }

// Close ends the connection.
func (c *Conn) Close() { _ = c.conn.Close() }

// Do sends a whole request and returns the answer's status and body, which is good until the next Do. After an error the
// connection cannot be used any more.
func (c *Conn) Do(request []byte) (status int, body []byte, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, nil, err
	}
	status, length, chunked, err := c.head()
	if err != nil {
		return 0, nil, fmt.Errorf("reading the head of an answer: %w", err)
	}
	switch {
	case chunked:
		err = c.readChunks()
	case length < 0 || length > maxBody:
		err = fmt.Errorf("it is %d bytes long", length)
	default:
		c.body = append(c.body[:0], make([]byte, length)...)
		_, err = io.ReadFull(c.r, c.body)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("reading the body of an answer with status %d: %w", status, err)
	}
	return status, c.body, nil
}

// head reads the status line and those headers that say where the body ends.
func (c *Conn) head() (status, length int, chunked bool, err error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, 0, false, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, 0, false, fmt.Errorf("it begins with %.40q, which is not HTTP/1.1", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, false, err
	}
	length = -1
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, 0, false, err
		}
		name, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case len(name) == 0:
			return status, length, chunked, nil
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, 0, false, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
}

func (c *Conn) readChunks() error {
	body, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(c.r), maxBody))
	if err != nil {
		return err
	}
	c.body = body
	// NewChunkedReader leaves the line that ends the trailer.
	_, err = c.r.ReadSlice('\n')
	return err
}
