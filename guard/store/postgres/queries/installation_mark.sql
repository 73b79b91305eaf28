SELECT mark FROM onceguard.installation WHERE id = 1
