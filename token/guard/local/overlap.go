package local

import "reflect"

// apart gives data, or a copy of it where it overlaps the room behind dst: PKCS #11 lets a caller have the output written over the input,
// and most modes write before they have read all.
func apart(dst, data []byte) []byte {
	room := dst[len(dst):cap(dst)]
	if len(room) == 0 || len(data) == 0 {
		return data
	}
	from, start := reflect.ValueOf(room).Pointer(), reflect.ValueOf(data).Pointer()
	if start >= from+uintptr(len(room)) || from >= start+uintptr(len(data)) {
		return data
	}
	return append([]byte{}, data...)
}
