package egress

import (
	"net/netip"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	for want, list := range map[verdict]string{
		anyone: `1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255
			169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.167.255.255 192.169.0.0 192.0.1.255 198.17.255.255
			198.20.0.0 223.255.255.255 168.63.129.15 2606:4700::1111 2a00:1450:4001::1 2001:4860:4860::8888 2001:1::1
			::ffff:1.1.1.1 ::1.1.1.1 ::ffff:0:1.1.1.1 64:ff9b::1.1.1.1 2002:0101:0101::1
			2001:0:0a00:0001::fefe:fefe fe00::1 2606:4700::5efe:1.1.1.1`,
		inPrivate: `10.0.0.0 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255 127.0.0.1 127.255.255.254
			100.64.0.0 100.127.255.255 192.0.0.1 192.0.2.1 198.51.100.7 203.0.113.9 198.18.0.1 198.19.255.255 192.88.99.1
			::1 fc00::1 fd12:3456::1 fdff::1 fec0::1 2001:db8::1 3fff::1 5f00::1
			::ffff:127.0.0.1 ::ffff:10.1.2.3 ::127.0.0.1 ::10.0.0.1 ::ffff:0:192.168.1.1 64:ff9b::10.0.0.1 64:ff9b::7f00:1
			2002:0a00:0001::1 2002:7f00:0001:: 2002:c0a8:0101::5 2001:0:0808:0808::80ff:fffe 2001:0:0808:0808::f5ff:fffe
			2606:4700::5efe:10.0.0.1 2606:4700::200:5efe:192.168.1.1`,
		nobody: `0.0.0.0 0.1.2.3 169.254.0.1 169.254.169.254 169.254.170.2 224.0.0.1 239.255.255.255 240.0.0.1
			255.255.255.255 100.100.100.200 168.63.129.16 192.0.0.192 :: fe80::1 fe80::a9fe:a9fe febf::1 ff02::1 ff0e::1
			fd00:ec2::254 fd20:ce::254 fd00:c1::a9fe:a9fe 64:ff9b:1::1 64:ff9b:1:a9fe:a9:fe00:: 100::1
			::ffff:169.254.169.254 ::ffff:0.0.0.0 ::169.254.169.254 ::ffff:0:169.254.169.254 64:ff9b::169.254.169.254
			64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1 2001:0:0808:0808::5601:5601 2606:4700::5efe:169.254.169.254
			fe80::5efe:1.1.1.1 fe80::1%eth0 fe80::5efe:169.254.169.254`,
	} {
		for text := range strings.FieldsSeq(list) {
			a, err := netip.ParseAddr(text)
			if err != nil {
				t.Error(err)
				continue
			}
			if got := judge(a); got != want {
				t.Errorf("judge(%s) = %d, want %d", text, got, want)
			}
		}
	}
	if judge(netip.Addr{}) != nobody {
		t.Error("no address is allowed")
	}
}

// FuzzJudge: whatever form an address of IPv4 is wrapped in, it is not judged more kindly than by itself.
func FuzzJudge(f *testing.F) {
	f.Add([]byte{169, 254, 169, 254})
	f.Add([]byte{127, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != 4 {
			return
		}
		v4 := netip.AddrFrom4([4]byte(b))
		want := judge(v4)
		for _, prefix := range []string{"::ffff:0.0.0.0", "::ffff:0:0.0.0.0", "64:ff9b::", "2606:4700::5efe:0:0"} {
			wrapped := netip.MustParseAddr(prefix).As16()
			copy(wrapped[12:], b)
			if got := judge(netip.AddrFrom16(wrapped)); got != want {
				t.Errorf("%s is judged %d, %s %d", v4, want, netip.AddrFrom16(wrapped), got)
			}
		}
		six := netip.MustParseAddr("2002::1").As16()
		copy(six[2:], b)
		if got := judge(netip.AddrFrom16(six)); got != want {
			t.Errorf("%s is judged %d, %s %d", v4, want, netip.AddrFrom16(six), got)
		}
	})
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		address string
		private bool
		want    error
	}{
		{"1.1.1.1:443", false, nil},
		{"10.0.0.1:443", false, Refused{NeedsPrivate: true}},
		{"10.0.0.1:443", true, nil},
		{"[::1]:80", true, nil},
		{"169.254.169.254:80", true, Refused{}},
		{"example.com:443", true, Refused{}}, // names are resolved before
		{"", true, Refused{}},
	} {
		if got := Check(c.address, c.private); got != c.want {
			t.Errorf("%q, private %v: %v, want %v", c.address, c.private, got, c.want)
		}
	}
}
