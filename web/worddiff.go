package web

import (
	"strings"

	"github.com/clipperhouse/uax29/v2/words"
)

// mostCompared bounds the table of a word by word comparison. What is longer is marked as a whole between its common ends.
const mostCompared = 250_000

// wordDiff marks in each of two texts the words that the other lacks.
func wordDiff(earlier, now string) (before, after []piece) {
	a, b := wordsOf(earlier), wordsOf(now)
	keepA, keepB := common(a, b)
	return markWords(a, keepA), markWords(b, keepB)
}

func wordsOf(s string) []string {
	var list []string
	for tokens := words.FromString(s); tokens.Next(); {
		list = append(list, tokens.Value())
	}
	return list
}

// common tells for each word of two texts whether it is in a longest common sequence of both.
func common(a, b []string) (inA, inB []bool) {
	inA, inB = make([]bool, len(a)), make([]bool, len(b))
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		inA[start], inB[start] = true, true
		start++
	}
	endA, endB := len(a), len(b)
	for endA > start && endB > start && a[endA-1] == b[endB-1] {
		endA, endB = endA-1, endB-1
		inA[endA], inB[endB] = true, true
	}
	n, m := endA-start, endB-start
	if n == 0 || m == 0 || n*m > mostCompared {
		return inA, inB
	}
	// length[i][j] is that of the longest common sequence of what follows i and j.
	length := make([][]int32, n+1)
	for i := range length {
		length[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if a[start+i] == b[start+j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case a[start+i] == b[start+j]:
			inA[start+i], inB[start+j] = true, true
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return inA, inB
}

// markWords joins neighbours that are marked alike into pieces.
func markWords(list []string, keep []bool) []piece {
	var all []piece
	for from := 0; from < len(list); {
		to := from
		for to < len(list) && keep[to] == keep[from] {
			to++
		}
		all = appendVisible(all, strings.Join(list[from:to], ""), !keep[from])
		from = to
	}
	return all
}
