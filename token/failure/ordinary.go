package failure

import "github.com/ncrypt11/ncrypt11/token/ck"

// anywhere is a row for all functions.
const anywhere = ""

// ordinary is what programs get without anything being wrong: answers to questions, and what follows from a failure that was told before and would be
// hidden by this one. Rows are found by the code, then the function.
var ordinary = map[ck.RV][]string{
	ck.CKR_BUFFER_TOO_SMALL:             {anywhere}, // section 5.2: the program asks again
	ck.CKR_SIGNATURE_INVALID:            {anywhere}, // an answer
	ck.CKR_SIGNATURE_LEN_RANGE:          {anywhere}, // the same answer
	ck.CKR_CRYPTOKI_NOT_INITIALIZED:     {anywhere}, // after C_Finalize, and in forked children
	ck.CKR_CRYPTOKI_ALREADY_INITIALIZED: {anywhere}, // libraries of one program do not know of each other
	ck.CKR_OPERATION_NOT_INITIALIZED:    {anywhere}, // C_SignInit failed before, and said why
	ck.CKR_FUNCTION_NOT_PARALLEL:        {anywhere}, // all that C_GetFunctionStatus and C_CancelFunction ever say
	ck.CKR_RANDOM_SEED_NOT_SUPPORTED:    {anywhere}, // programs go on without
	ck.CKR_USER_ALREADY_LOGGED_IN:       {"C_Login", "C_LoginUser"},
	ck.CKR_USER_NOT_LOGGED_IN:           {"C_Logout"},
	ck.CKR_NO_EVENT:                     {"C_WaitForSlotEvent"},
	ck.CKR_CANT_LOCK:                    {"C_Initialize"}, // asked again with CKF_OS_LOCKING_OK
	ck.CKR_ATTRIBUTE_TYPE_INVALID:       {"C_GetAttributeValue"},
	ck.CKR_ATTRIBUTE_SENSITIVE:          {"C_GetAttributeValue"},
	ck.CKR_OBJECT_HANDLE_INVALID:        {"C_GetAttributeValue", "C_GetObjectSize"},
	ck.CKR_SESSION_HANDLE_INVALID:       {"C_CloseSession", "C_GetSessionInfo", "C_Logout", "C_FindObjectsFinal"}, // ends of what ended before
	ck.CKR_MECHANISM_INVALID:            {"C_GetMechanismInfo"},
	ck.CKR_SLOT_ID_INVALID:              {"C_GetSlotInfo", "C_GetTokenInfo", "C_CloseAllSessions"},
	ck.CKR_TOKEN_NOT_PRESENT:            {"C_GetTokenInfo", "C_GetMechanismList", "C_GetMechanismInfo"},
	ck.CKR_FUNCTION_NOT_SUPPORTED:       {"C_GetOperationState", "C_SessionCancel"},
}

// Ordinary says whether programs live with that outcome of that function.
func Ordinary(function string, rv ck.RV) bool {
	for _, f := range ordinary[rv] {
		if f == anywhere || f == function {
			return true
		}
	}
	return false
}
