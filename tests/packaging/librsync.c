/* Makes a level by librsync's engine and restores it, in the current directory. */
#include <frazil.h>

#include <stdio.h>

int main(void) {
    frazil_error *error = NULL;
    frazil_signature *signature = NULL;
    frazil_level_options options;
    FILE *file = fopen("disk", "wb");
    int status;

    if (file == NULL || fputs("the content of a disk", file) < 0 || fclose(file) != 0) return 1;
    frazil_level_options_init(&options, sizeof options);
    options.engine = FRAZIL_ENGINE_LIBRSYNC;
    status = frazil_level_file("disk", NULL, "level.0", &options, &signature, NULL, &error);
    if (status >= 0) status = frazil_level_file("disk", signature, "level.1", &options, NULL, NULL, &error);
    if (status >= 0) status = frazil_patch_file("disk", "level.1", "restored", NULL, NULL, &error);
    if (status < 0) fprintf(stderr, "%s\n", frazil_error_message(error));
    frazil_signature_free(signature);
    frazil_error_free(error);
    return status < 0;
}
