// Without this the addon would need glibc 2.32. Headers of GCC's library ask glibc's variable
// __libc_single_threaded whether a count needs an atomic operation; CMakeLists.txt gives them this one in its
// place, and there always are threads.
extern "C" {
extern char sqa_single_threaded;
char sqa_single_threaded = 0;
}
