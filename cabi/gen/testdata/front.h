/* Stands in for cabi/front.h. */
int ncrypt11_enter_allowed(void);
