package store

import (
	"iter"
	"math/bits"
	"slices"
)

// postings is a set of object numbers. Most have one member, as a label or a UNIQUE_ID does: that takes no memory of its own. Up to
// maxSorted they are a sorted list; beyond, as CLASS or KEY_TYPE have, a set of bits. So a member is added and removed in constant time,
// or by moving a few kilobytes.
type postings struct {
	one  uint32 // the member where there is just one
	n    uint32 // number of members
	many *members
}

// members are the numbers of a set of two or more: exactly one of the two is in use.
type members struct {
	sorted []uint32
	bits   []uint64
}

const (
	maxSorted = 1024
	minBits   = maxSorted / 2 // below this a set of bits turns back into a list
)

func (p *postings) len() int { return int(p.n) }

// add puts n into the set, which does not have it.
func (p *postings) add(n uint32) {
	p.n++
	switch {
	case p.n == 1:
		p.one = n
		return
	case p.many == nil:
		p.many = &members{sorted: []uint32{p.one}}
	}
	m := p.many
	if m.bits == nil && len(m.sorted) == maxSorted {
		for _, old := range m.sorted {
			m.set(old)
		}
		m.sorted = nil
	}
	if m.bits != nil {
		m.set(n)
		return
	}
	at, _ := slices.BinarySearch(m.sorted, n)
	m.sorted = slices.Insert(m.sorted, at, n)
}

// remove takes n out of the set, which has it.
func (p *postings) remove(n uint32) {
	p.n--
	if p.many == nil {
		return
	}
	m := p.many
	if m.bits != nil {
		m.bits[n/64] &^= 1 << (n % 64)
		if p.n == minBits {
			m.sorted = slices.Collect(p.each())
			m.bits = nil
		}
		return
	}
	at, _ := slices.BinarySearch(m.sorted, n)
	m.sorted = slices.Delete(m.sorted, at, at+1)
	if p.n == 1 {
		p.one, p.many = m.sorted[0], nil
	}
}

// set sets a bit, and makes room for it.
func (m *members) set(n uint32) {
	if need := int(n/64) + 1; need > len(m.bits) {
		m.bits = append(m.bits, make([]uint64, need-len(m.bits))...)
	}
	m.bits[n/64] |= 1 << (n % 64)
}

// each gives the members in ascending order.
func (p postings) each() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		switch {
		case p.n == 0:
		case p.many == nil:
			yield(p.one)
		case p.many.bits == nil:
			for _, n := range p.many.sorted {
				if !yield(n) {
					return
				}
			}
		default:
			for i, word := range p.many.bits {
				for ; word != 0; word &= word - 1 {
					if !yield(uint32(i*64 + bits.TrailingZeros64(word))) {
						return
					}
				}
			}
		}
	}
}
