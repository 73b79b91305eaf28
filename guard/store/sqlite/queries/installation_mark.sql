SELECT mark FROM installation WHERE id = 1
