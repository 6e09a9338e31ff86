/** Where systemd's logind makes a folder for each user who has a session (pam_systemd(8)): `/run/user/UID`. */
export const runUser = '/run/user';
