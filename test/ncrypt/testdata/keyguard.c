/*
 * The program by which Microsoft introduced keys with virtualization-based security ("Advancing key protection in Windows using VBS"), as it stands there but
 * for its quotation marks, the line ends in its texts, and u"" for the name; main is ours.
 */
#include <windows.h>
#include <ncrypt.h>
#include <stdio.h>
#include <wchar.h>

void
CreatePersistedKeyGuardKey(
    void
    )
{
    SECURITY_STATUS status;
    NCRYPT_PROV_HANDLE hProv = 0;
    NCRYPT_KEY_HANDLE hKey = 0;
    DWORD dwKeySize = 2048;

    status = NCryptOpenStorageProvider(&hProv, MS_KEY_STORAGE_PROVIDER, 0);
    if (status != ERROR_SUCCESS)
    {
        wprintf(L"NCryptOpenStorageProvider failed with %x\n", status);
        goto clean;
    }

    status = NCryptCreatePersistedKey(hProv, &hKey, NCRYPT_RSA_ALGORITHM, u"MyKeyName", 0, NCRYPT_USE_VIRTUAL_ISOLATION_FLAG);
    if (status != ERROR_SUCCESS)
    {
        wprintf(L"NCryptCreatePersistedKey failed with %x\n", status);
        goto clean;
    }

    status = NCryptSetProperty(hKey, NCRYPT_LENGTH_PROPERTY, (PBYTE)&dwKeySize, sizeof(DWORD), 0);

    status = NCryptFinalizeKey(hKey, 0);
    if (status != ERROR_SUCCESS)
    {
        wprintf(L"NCryptFinalizeKey failed with %x\n", status);
        goto clean;
    }

    wprintf(L"Created a persisted Key Guard key!\n");

clean:
    if (hKey)
    {
        NCryptFreeObject(hKey);
    }
    if (hProv)
    {
        NCryptFreeObject(hProv);
    }
}

int main(void)
{
    CreatePersistedKeyGuardKey();
    return 0;
}
