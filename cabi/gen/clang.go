package main

import (
	"fmt"
	"strings"
)

// interfaceLists are the tables that C_GetInterfaceList offers, in its order, the default first.
var interfaceLists = []struct{ structName, variable, version string }{
	{"CK_FUNCTION_LIST_3_2", "ncrypt11_list_3_2", "{3, 2}"},
	{"CK_FUNCTION_LIST_3_0", "ncrypt11_list_3_0", "{3, 0}"},
	{"CK_FUNCTION_LIST", "ncrypt11_list_2_40", "{2, 40}"},
}

const protectedHeader = `/* Protected: a table or a call inside this library means this library's function, also where another module's C_* symbols
 * are global in the process. */
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
`

// vendorInterfaces are the rows for what PKCS #11 does not have, the last ones of the interfaces.
var vendorInterfaces = []string{
	"\t{(CK_UTF8CHAR_PTR)NCRYPT11_INTERFACE, (CK_VOID_PTR)&ncrypt11_ncrypt_list, 0},\n",
	"\t{(CK_UTF8CHAR_PTR)NCRYPT11_MINIDRIVER_INTERFACE, (CK_VOID_PTR)&ncrypt11_card_list, 0},\n",
}

// cFunctions writes functions_gen.h: the list of all functions as an X-macro, and the declarations of lists_gen.c.
func cFunctions(h *header) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "/* %s */\n", notice)
	out.WriteString("#ifndef NCRYPT11_FUNCTIONS_GEN_H\n#define NCRYPT11_FUNCTIONS_GEN_H\n\n#include \"../p11.h\"\n\n")
	out.WriteString("/* NCRYPT11_FUNCTIONS(X) is X(C_Initialize) X(C_Finalize) ..., in the order of the function lists. */\n")
	out.WriteString("#define NCRYPT11_FUNCTIONS(X)")
	for _, f := range h.functions {
		fmt.Fprintf(&out, " \\\n\tX(%s)", f.name)
	}
	out.WriteString("\n\n#pragma GCC visibility push(hidden)\n")
	for _, l := range interfaceLists {
		fmt.Fprintf(&out, "extern const %s %s;\n", l.structName, l.variable)
	}
	fmt.Fprintf(&out, "#define NCRYPT11_INTERFACE_COUNT %d\n", len(interfaceLists)+len(vendorInterfaces))
	out.WriteString("extern const CK_INTERFACE ncrypt11_interfaces[NCRYPT11_INTERFACE_COUNT];\n")
	out.WriteString("#pragma GCC visibility pop\n\n#endif\n")
	return []byte(out.String())
}

// cLists writes lists_gen.c: the function lists and the interfaces, in constant C memory.
func cLists(h *header) ([]byte, error) {
	var out strings.Builder
	fmt.Fprintf(&out, "/* %s */\n\n%s#include \"functions_gen.h\"\n#include \"ncrypt_enter.h\"\n#include \"card_enter.h\"\n", notice, protectedHeader)
	for _, l := range interfaceLists {
		members, found := h.lists[l.structName]
		if !found {
			return nil, fmt.Errorf("p11.h has no struct %s", l.structName)
		}
		fmt.Fprintf(&out, "\nconst %s %s = {\n\t.version = %s,\n", l.structName, l.variable, l.version)
		for _, m := range members {
			fmt.Fprintf(&out, "\t.%s = %s,\n", m, m)
		}
		out.WriteString("};\n")
	}
	out.WriteString("\n/* CK_INTERFACE has no const members; nobody writes through them. */\n")
	out.WriteString("const CK_INTERFACE ncrypt11_interfaces[NCRYPT11_INTERFACE_COUNT] = {\n")
	for _, l := range interfaceLists {
		fmt.Fprintf(&out, "\t{(CK_UTF8CHAR_PTR)\"PKCS 11\", (CK_VOID_PTR)&%s, 0},\n", l.variable)
	}
	for _, row := range vendorInterfaces {
		out.WriteString(row)
	}
	out.WriteString("};\n")
	return []byte(out.String()), nil
}

// exportMap writes the linker's version script.
func exportMap(h *header, ncrypt []vendorFunction) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "/* %s */\n{\nglobal:\n", notice)
	for _, f := range h.functions {
		fmt.Fprintf(&out, "\t%s;\n", f.name)
	}
	for _, f := range ncrypt {
		fmt.Fprintf(&out, "\t%s;\n", f.name)
	}
	out.WriteString("local:\n\t*;\n};\n")
	return []byte(out.String())
}
