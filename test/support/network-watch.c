// Preloaded into a process and its children: records each connection, datagram and name look-up of any library in the
// file that NETWORK_WATCH names, and refuses it. Connections within the machine by way of files are left alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void record(const char *call, const char *what) {
  const char *path = getenv("NETWORK_WATCH");
  char line[400];
  int file = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
  if (file == -1) return;
  int length = snprintf(line, sizeof line, "%s %s\n", call, what == NULL ? "" : what);
  if (write(file, line, length < (int)sizeof line ? length : (int)sizeof line - 1) < 0) abort();
  close(file);
}

/** Whether an address leads out of the process by the network; it is recorded then. */
static int refused(const char *call, const struct sockaddr *address) {
  char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "", what[NI_MAXHOST + NI_MAXSERV + 1];
  if (address == NULL || (address->sa_family != AF_INET && address->sa_family != AF_INET6)) return 0;
  socklen_t length = address->sa_family == AF_INET ? 16 : 28;
  getnameinfo(address, length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  snprintf(what, sizeof what, "%s %s", host, port);
  record(call, what);
  errno = ENETUNREACH;
  return 1;
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
  int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "connect");
  return refused("connect", address) ? -1 : next(socket, address, length);
}

ssize_t sendto(int socket, const void *bytes, size_t count, int flags, const struct sockaddr *address, socklen_t length) {
  ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "sendto");
  return refused("sendto", address) ? -1 : next(socket, bytes, count, flags, address, length);
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
  ssize_t (*next)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
  return refused("sendmsg", message->msg_name) ? -1 : next(socket, message, flags);
}

int sendmmsg(int socket, struct mmsghdr *messages, unsigned count, int flags) {
  int (*next)(int, struct mmsghdr *, unsigned, int) = dlsym(RTLD_NEXT, "sendmmsg");
  for (unsigned i = 0; i < count; i++)
    if (refused("sendmmsg", messages[i].msg_hdr.msg_name)) return -1;
  return next(socket, messages, count, flags);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
  int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
  if (hints != NULL && (hints->ai_flags & AI_NUMERICHOST)) return next(name, service, hints, found);
  record("getaddrinfo", name);
  return EAI_FAIL;
}

struct hostent *gethostbyname(const char *name) {
  record("gethostbyname", name);
  return NULL;
}
