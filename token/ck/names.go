package ck

import "fmt"

// String gives the constant's name, or its number where it has none.
func (t AttributeType) String() string { return name(attributeNames, t, "CKA") }

// String gives the constant's name, or its number where it has none.
func (t KeyType) String() string { return name(keyTypeNames, t, "CKK") }

// String gives the constant's name, or its number where it has none.
func (t MechanismType) String() string { return name(mechanismNames, t, "CKM") }

// String gives the constant's name, or its number where it has none.
func (c ObjectClass) String() string { return name(objectClassNames, c, "CKO") }

// String gives the constant's name, or its number where it has none.
func (rv RV) String() string { return name(rvNames, rv, "CKR") }

func name[T ~uint](names map[T]string, value T, prefix string) string {
	if s, known := names[value]; known {
		return s
	}
	return fmt.Sprintf("%s_0x%08X", prefix, uint(value))
}
